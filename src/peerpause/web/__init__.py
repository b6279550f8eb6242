"""The web pages: what mentors, coordinators and admins see in a browser, who is signed in there, and nothing that decides anything.

The rules are the rooms' and the database's; every page asks them as the person in front of it.
"""
