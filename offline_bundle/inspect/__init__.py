"""What a bundle holds, as text and as a page."""
