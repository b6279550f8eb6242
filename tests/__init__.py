"""The promises PeerPause keeps, room by room; `servers.py` gives them real PostgreSQL servers, `cast.py` the people in them."""
