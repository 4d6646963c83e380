"""The second search, independent of the rules: every recorded value, in every form, in the finished text."""
