"""Each HTTP library answers from the cassette: its patch, its responses, its errors."""
