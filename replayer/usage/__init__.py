"""What a run used, missed and left unused: counts, reports, `tfx prune`."""
