// The room page. What a room can do is in room/features, one file each.
import { Room } from "room/core/room";
import { features, tables } from "room/features/all";
import { controls } from "room/features/bar";
import { readJson } from "shared/dom";

new Room(readJson("room-page"), readJson("room-snapshot"), tables, controls).start(features);
