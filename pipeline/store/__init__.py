"""The database: opened and migrated, filled, and what it keeps beside events: devices, profiles, quarantine, unread days, clock facts."""
