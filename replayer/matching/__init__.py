"""Which recorded exchange answers a request: keys, queues, values bound in one run, access, and the message of a miss."""
