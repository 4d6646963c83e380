"""Cassette -> requests and the other HTTP stacks, offline: matching, windows, the network guard, the pytest plugin, `tfx replay`."""
