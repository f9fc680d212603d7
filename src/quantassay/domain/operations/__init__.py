"""When the desk's programs run, as values: times of a session, what is due, what is late, what has fallen silent."""
