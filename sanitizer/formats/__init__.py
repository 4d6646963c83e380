"""Recordings other tools made, read to a recording of ours and written from a cassette: vcrpy and HAR 1.2."""
