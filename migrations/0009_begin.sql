-- The door by which groups and zones get their numbers: CALL begin_zones(…) commits by itself, like admit, and for the same reason (0007_admit.sql).
--
-- A group without a generation and a zone that no plan touched are nothing yet: whoever comes first with an admitted plan makes them something. What is there
-- already is left alone, in whatever group it is: the caller reads afterwards whose it is.

create procedure begin_zones(p_group text, p_zones text[]) language plpgsql as $$
begin
    insert into zone_group (name) values (p_group) on conflict (name) do nothing;
    -- In order of names: two callers that begin the same zones wait for each other, and never both.
    insert into zone (name, zone_group)
    select wanted.name, g.zone_group
    from zone_group g cross join (select distinct u.name collate "C" as name from unnest(p_zones) as u (name)) wanted
    where g.name = p_group
    order by wanted.name
    on conflict (name) do nothing;
    commit;
end
$$;

revoke execute on procedure begin_zones from public;
grant execute on procedure begin_zones to holdfast_admit;
