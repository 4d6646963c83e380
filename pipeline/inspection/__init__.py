"""What a database holds and whether it is right: show, check, trace, summary. Reads only."""
