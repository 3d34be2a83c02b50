"""Events out: what is sent to the callbacks our clients give us, how it is signed, guarded and retried."""
