"""Who uses a server, what belongs to whom, and who may do what; pure rules that know no page."""
