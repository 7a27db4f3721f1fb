-- The name of this zone.
select z.name from zone z where z.zone = $1
