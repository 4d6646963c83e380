"""What a value becomes: stand-ins by ordinal, shifted dates, rebased counters, tokens signed anew."""
