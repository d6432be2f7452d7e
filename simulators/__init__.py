"""The world outside: air, fire, doors, projectors, UPSes, servers, each below the real driver.

`world` is the model, without a socket or a clock; `server` is its process and `network` every
address at which something answers; `pins`, `dht_child` and `control` are its clients. `plan`,
with `powerplan` and `busplan`, and `secretfiles` alone know the room file. `Battery`,
`SimulatedUps` and `SimulatedHost` stand for themselves: whoever has a clock may use them.

May import: the core, the configuration, the clock, gpiozero and protocol servers (`asyncssh`
and `cryptography` only where a simulated host needs them). One exception:
`dht_child` runs the driver's own program, `drivers.dht_child`, around a simulated line.
"""
