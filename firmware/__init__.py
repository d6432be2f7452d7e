"""What is put on the board: the program's entry points. May import anything; nobody imports it."""
