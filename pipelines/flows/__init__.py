"""The sentences people say: build, promote, sync, rollback, backup, restore."""
