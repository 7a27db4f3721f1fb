-- Which of these names are zones' names.
select z.name from zone z where z.name = any ($1::text[])
