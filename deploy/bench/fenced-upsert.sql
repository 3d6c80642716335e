-- What a push of one entry cannot do without: the user's head rises behind a fence, and one row of the size of an entry is written.
\set entity random(1, 1000000000)
WITH head AS (UPDATE bare_head SET seq = seq + 1 WHERE user_id = :client_id AND seq >= 0 RETURNING seq)
INSERT INTO bare_row (user_id, entity, seq, document)
SELECT :client_id, :entity, seq, repeat('x', 480) FROM head
ON CONFLICT (user_id, entity) DO UPDATE SET seq = excluded.seq, document = excluded.document;
