"""The public roster, its page and its webhooks."""
