"""What the sanitizer reports: findings, the audit report, k-anonymity."""
