"""Own rules about code: what bandit does not see, or sees with too little confidence to be red."""
