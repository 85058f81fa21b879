"""The request queue: intake, store, scheduler and outbox, with uploads and result files."""
