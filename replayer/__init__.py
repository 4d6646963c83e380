"""Replay a cassette to HTTP clients, offline: matching, windows, network guard, pytest plugin, `tfx replay`."""
