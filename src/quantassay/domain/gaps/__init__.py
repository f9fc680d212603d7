"""What a desk cannot know by program, and the chores that stand in for it."""
