"""Parts of the pytest plugin: options, fixtures, markers, the guard and the outcome of a run, what its reports must not hold."""
