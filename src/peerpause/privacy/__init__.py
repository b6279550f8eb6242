"""What people may ask for about themselves: everything that is kept, its erasure, who read it; and how long anything is kept at all."""
