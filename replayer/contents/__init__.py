"""What is on a cassette: `tfx show`, its page and chart, and `tfx diff`."""
