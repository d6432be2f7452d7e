"""The commands of `roomwarden`, one file each: `run(options) -> exit code`."""
