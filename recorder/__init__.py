"""Record the live service into a capture: requests every endpoint a client uses, and keeps each exchange as on the wire."""
