"""The same change of status as Django's own parts make it: REST framework, django-fsm-2, django-simple-history."""
