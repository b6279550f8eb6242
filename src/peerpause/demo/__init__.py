"""What the demo needs and production does not: synthetic organisations, a story to play, a local FCM stand-in."""
