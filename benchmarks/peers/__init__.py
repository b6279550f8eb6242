"""What people would pick instead, each built the way its documentation recommends."""
