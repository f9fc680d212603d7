"""What people download by hand, and what a decision may know of it."""
