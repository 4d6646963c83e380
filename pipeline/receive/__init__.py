"""From the service or a cassette to columns: pumps, windows, responses, records decoded."""
