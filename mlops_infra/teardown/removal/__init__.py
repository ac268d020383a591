"""What a line taken out of a stack's file takes from people, and the way to let it go."""
