"""PeerPause: peer mentors take a break and come back without resigning."""
