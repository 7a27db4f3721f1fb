-- What stands at the moment and is kept nowhere when it is over: stops in force, servers and enactors, a thousand of each at most; each with a key by which to tell it
-- from the others. Of a server that was started again the newest instance counts.
(SELECT 'stop' AS "what!", 'stop ' || s.stop AS "key!", z.name AS "group_name?",
    jsonb_build_object('stop', s.stop, 'kind', s.kind, 'group', z.name, 'ring', s.ring, 'reason', s.reason, 'by', s.by, 'at', s.at, 'until', s.until) AS "told!"
 FROM stop_in_force s LEFT JOIN zone_group z ON z.zone_group = s.zone_group
 ORDER BY s.stop LIMIT 1000)
UNION ALL
(SELECT 'server', 'server ' || s.server, NULL,
    jsonb_build_object('server', s.server, 'instance', s.instance, 'ring', s.ring, 'live', s.seen > clock_timestamp() - interval '3 seconds', 'fault', s.fault)
 FROM (SELECT DISTINCT ON (server) server, instance, ring, seen, fault FROM server ORDER BY server, started DESC) s
 ORDER BY s.server LIMIT 1000)
UNION ALL
(SELECT 'enactor', 'enactor ' || e.enactor, NULL,
    jsonb_build_object('enactor', e.enactor, 'instance', e.instance, 'live', e.seen > clock_timestamp() - interval '3 seconds')
 FROM enactor e ORDER BY e.enactor LIMIT 1000)
