"""What a class does together: assignments, the runs handed in for them, the board, digits that everyone draws."""
