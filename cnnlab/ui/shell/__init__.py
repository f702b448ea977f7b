"""The parts that every page has: frame, session, login, and the list of sessions that watch each job."""
