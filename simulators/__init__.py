"""The world outside: air, fire, doors, projectors, each below the real driver.

`world` is the model, without a socket or a clock; `server` is its process; `pins`, `dht_child`
and `control` are its clients. `plan` alone knows the room file.

May import: the core, the configuration, the clock, gpiozero and protocol servers. One exception:
`dht_child` runs the driver's own program, `drivers.dht_child`, around a simulated line.
"""
