/* test_room: blocks that grow.  SPDX-License-Identifier: MIT */
#include "base/room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fail_check.h"

static void elements_stay_when_the_block_grows(void)
{
    uint32_t *list = NULL;
    size_t room = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(mill_room_for_one(&list, i, &room, sizeof *list, 3));
        CHECK(i < room && (room == 3 || i >= room / 2 || i < 3));
        list[i] = i * i;
    }
    CHECK(room == 3 * 512);
    for (uint32_t i = 0; i < 1000; i++) CHECK(list[i] == i * i);
    free(list);
}

static void any_number_is_added_at_once(void)
{
    char *text = NULL;
    size_t room = 0, used = 0, growths = 0;
    CHECK(mill_room_for(&text, 0, &room, 1, 0) && text == NULL);
    for (size_t more = 7; more < 300; more += 7) {
        size_t before = room;
        CHECK(mill_room_for(&text, used, &room, 1, more) && room - used >= more);
        CHECK(room == before || room == used + more || room == 2 * before);
        growths += room != before;
        memset(text + used, (int)more, more);
        used += more;
    }
    CHECK(growths < 16); /* of 42 */
    for (size_t i = 0, more = 7; more < 300; i += more, more += 7) {
        CHECK(text[i] == (char)more && text[i + more - 1] == (char)more);
    }
    free(text);
}

static void what_cannot_be_had_leaves_all_as_it_was(void)
{
    double *list = NULL;
    size_t room = 0;
    CHECK(mill_room_for_one(&list, 0, &room, sizeof *list, 4) && room == 4);
    double *before = list;
    CHECK(!mill_room_set(&list, SIZE_MAX / 4, sizeof *list) && list == before);
    size_t huge = SIZE_MAX / 2 + 1; /* twice as many are none */
    CHECK(!mill_room_grow(&list, &huge, sizeof *list, 4) && list == before);
    CHECK(!mill_room_reach(&list, &room, sizeof *list, SIZE_MAX / 4) && room == 4);
    if (CAN_FAIL_MEMORY) {
        allocations_left = 0;
        bool grown = mill_room_for_one(&list, 4, &room, sizeof *list, 4);
        allocations_left = INT64_MAX;
        CHECK(!grown && room == 4 && list == before);
    }
    free(list);
}

int main(void)
{
    RUN(elements_stay_when_the_block_grows);
    RUN(any_number_is_added_at_once);
    RUN(what_cannot_be_had_leaves_all_as_it_was);
    return check_end();
}
