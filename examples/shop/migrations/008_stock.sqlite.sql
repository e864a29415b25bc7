CREATE TRIGGER stock_moved AFTER INSERT ON stock_moves FOR EACH ROW
BEGIN
    UPDATE inventory SET on_hand = on_hand + NEW.pieces, updated_at = NEW.moved_at WHERE product_id = NEW.product_id;
END;
