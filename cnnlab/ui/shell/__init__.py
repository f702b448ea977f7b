"""What every page has: its frame, its session, who may enter and who watches."""
