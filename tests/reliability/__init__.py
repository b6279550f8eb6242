"""What happens when something goes away at the worst moment."""
