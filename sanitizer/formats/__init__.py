"""Recordings of other tools, vcrpy and HAR 1.2: read into a capture, or written from a cassette."""
