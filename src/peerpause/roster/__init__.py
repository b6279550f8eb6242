"""The public roster of a chapter: who may be listed at this moment, the page that shows them, and the webhooks around it.

Whether somebody may be listed is decided by the database when it is read (`peerpause.public_chapter_roster`), never here.
"""
