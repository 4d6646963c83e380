"""Parts of the pytest plugin: fixtures, markers, what its reports must not hold."""
