-- Begins a group, unless it is there already. A group without a generation is nothing yet: a plan that is refused in the end leaves only its name.
insert into zone_group (name) values ($1) on conflict (name) do nothing
