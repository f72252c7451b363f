/* The reader of HTTP answers: well-formed ones against what they were made of, damaged ones against
 * the same bytes in other pieces.  SPDX-License-Identifier: MIT */
#include "lane/response.h"

#include <stdio.h>

#include "check.h"
#include "response_check.h"

/* ---- answers made at random ------------------------------------------------------------------ */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

struct answer {
    char text[8192];
    size_t size;
    int status;
    char body[1024];
    size_t length;
    char value[64];
};

static void add(struct answer *answer, const void *bytes, size_t size)
{
    memcpy(answer->text + answer->size, bytes, size);
    answer->size += size;
}

static void say(struct answer *answer, const char *text)
{
    add(answer, text, strlen(text));
}

static void end_line(struct answer *answer)
{
    say(answer, draw(4) ? "\r\n" : "\n");
}

static void make_chunks(struct answer *answer)
{
    char line[64];
    for (size_t at = 0; at < answer->length;) {
        size_t size = draw(100) + 1;
        if (size > answer->length - at) size = answer->length - at;
        snprintf(line, sizeof line, draw(2) ? "%zx" : "%zX", size);
        say(answer, line);
        if (draw(3) == 0) say(answer, " ;name=\"value\"");
        end_line(answer);
        add(answer, answer->body + at, size);
        end_line(answer);
        at += size;
    }
    say(answer, "000");
    end_line(answer);
    if (draw(2)) say(answer, "X-Trailer: is forgotten\r\n");
    end_line(answer);
}

static void make_answer(struct answer *answer)
{
    char line[160];
    answer->size = 0;
    answer->status = 200 + (int)draw(300);
    if (answer->status == 204 || answer->status == 304) answer->status = 200;
    answer->length = draw(3) ? draw(sizeof answer->body) : 0;
    for (size_t i = 0; i < answer->length; i++) answer->body[i] = (char)draw(256);
    while (draw(4) == 0) say(answer, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    snprintf(line, sizeof line, "HTTP/1.%u %d %s", draw(2), answer->status,
             draw(2) ? "A Reason" : "");
    say(answer, line);
    end_line(answer);
    snprintf(answer->value, sizeof answer->value, "v%u: \"x\"", draw(1000));
    snprintf(line, sizeof line, "X-VaLue:%s%s%s", draw(2) ? " " : "", answer->value,
             draw(2) ? " \t" : "");
    say(answer, line);
    end_line(answer);
    int mode = (int)draw(3);
    if (mode == 0) {
        snprintf(line, sizeof line, "content-LENGTH: %zu", answer->length);
        say(answer, line);
        end_line(answer);
    } else if (mode == 1) {
        say(answer, "Transfer-Encoding: Chunked");
        end_line(answer);
    }
    end_line(answer);
    if (mode == 1) {
        make_chunks(answer);
    } else {
        add(answer, answer->body, answer->length);
    }
}

static void well_formed_answers_are_what_they_were_made_of(void)
{
    for (int round = 0; round < 3000 && !check__bad; round++) {
        struct answer answer;
        struct mill_response response;
        make_answer(&answer);
        response_read(&response, sizeof answer.body, (uint8_t *)answer.text, answer.size,
                      draw(300) + 1);
        CHECK_SAYING(response.state == MILL_RESPONSE_DONE, "%s in:\n%.*s", response.failure,
                     (int)answer.size, answer.text);
        if (response.state == MILL_RESPONSE_DONE) {
            CHECK(response.status == answer.status);
            CHECK(response.size == answer.length &&
                  memcmp(response.body ? response.body : "", answer.body, answer.length) == 0);
            const char *value = mill_response_field(&response, "x-value");
            CHECK_TEXT(value ? value : "(none)", answer.value);
        }
        mill_response_fini(&response);
    }
}

static void damaged_answers_come_to_the_same_in_any_pieces(void)
{
    static const char pieces[] = "0123456789abcdefABCDEF:;,\r\n\t -HTTP/1.";
    for (int round = 0; round < 30000 && !check__bad; round++) {
        struct answer answer;
        make_answer(&answer);
        for (uint32_t damages = draw(4) + 1; damages > 0; damages--) {
            uint32_t at = draw((uint32_t)answer.size);
            size_t rest = answer.size - at;
            switch (draw(4)) {
            case 0:
                answer.text[at] = pieces[draw(sizeof pieces)];
                break;
            case 1:
                answer.text[at] = (char)draw(256);
                break;
            case 2: /* bytes are lost */
                memmove(answer.text + at, answer.text + at + rest / 2, rest - rest / 2);
                answer.size -= rest / 2;
                break;
            default: /* or come twice */
                if (rest > 200) rest = 200;
                memmove(answer.text + at + rest, answer.text + at, answer.size - at);
                answer.size += rest;
            }
            if (answer.size == 0 || answer.size > sizeof answer.text / 2) break;
        }
        size_t most = draw(2) ? sizeof answer.text : draw(500);
        CHECK_SAYING(response_holds((uint8_t *)answer.text, answer.size, most, draw(40) + 1),
                     "the pieces matter, of:\n%.*s", (int)answer.size, answer.text);
    }
}

/* ---- single cases ----------------------------------------------------------------------------------- */

static const char *failure_of(const char *text)
{
    static char failure[160];
    struct mill_response response;
    response_read(&response, 100, (const uint8_t *)text, strlen(text), 7);
    snprintf(failure, sizeof failure, "%s",
             response.state == MILL_RESPONSE_DONE ? "(done)" : response.failure);
    mill_response_fini(&response);
    return failure;
}

static void numbers_that_do_not_fit_are_refused(void)
{
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ncontent-length: 99999999999999999999\n\n"),
               "the content length \"99999999999999999999\" is no number of bytes");
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ncontent-length: 18446744073709551617\n\nx"),
               "the content length \"18446744073709551617\" is no number of bytes");
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ncontent-length: -1\n\n"),
               "the content length \"-1\" is no number of bytes");
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ntransfer-encoding: chunked\n\nffffffffffffffffff\n"),
               "the size of a chunk is too large");
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ntransfer-encoding: chunked\n\n65\n"),
               "the body has more than 100 bytes (max_bytes)");
    CHECK_TEXT(failure_of("HTTP/1.1 200 x\ntransfer-encoding: chunked\n\n2\nabcd\n0\n\n"),
               "a chunk is longer than its size");
    CHECK_TEXT(failure_of("HTTP/1.1 20 x\n\n"), "the answer is not HTTP/1.1");
    CHECK_TEXT(failure_of("HTTP/1.1 2000 x\n\n"), "the answer is not HTTP/1.1");
    CHECK_TEXT(failure_of("HTTP/2.0 200 x\n\n"), "the answer is not HTTP/1.1");
}

static void folded_lines_and_blanks_in_names_are_refused(void)
{
    CHECK_TEXT(failure_of("HTTP/1.1 204 x\na: 1\n 2\n\n"),
               "a header field is not \"name: value\"");
    CHECK_TEXT(failure_of("HTTP/1.1 204 x\na : 1\n\n"),
               "a header field is not \"name: value\"");
    CHECK_TEXT(failure_of("HTTP/1.1 204 x\n: 1\n\n"), "a header field is not \"name: value\"");
    CHECK_TEXT(failure_of("HTTP/1.1 204 x\na: \x01\n\n"),
               "a header field is not \"name: value\"");
    CHECK_TEXT(failure_of("HTTP/1.1 204 x\na:\n\n"), "(done)");
}

static void an_endless_head_is_refused(void)
{
    struct mill_response response;
    mill_response_init(&response, 100);
    enum mill_response_state now = mill_response_feed(&response, "HTTP/1.1 200 x\n", 15);
    int lines = 0;
    while (now < MILL_RESPONSE_DONE && lines < 100000) {
        now = mill_response_feed(&response, "x: 1\n", 5);
        lines++;
    }
    CHECK(now == MILL_RESPONSE_FAILED && lines < 20000);
    mill_response_fini(&response);
    mill_response_init(&response, 100);
    for (lines = 0, now = MILL_RESPONSE_STATUS; now < MILL_RESPONSE_DONE && lines < 100000;
         lines++) {
        now = mill_response_feed(&response, "HTTP/1.1 100 x\n\n", 16);
    }
    CHECK(now == MILL_RESPONSE_FAILED && lines < 20000);
    mill_response_fini(&response);
}

int main(void)
{
    state = check_seed() * 2654435769u | 1;
    RUN(well_formed_answers_are_what_they_were_made_of);
    RUN(damaged_answers_come_to_the_same_in_any_pieces);
    RUN(numbers_that_do_not_fit_are_refused);
    RUN(folded_lines_and_blanks_in_names_are_refused);
    RUN(an_endless_head_is_refused);
    return check_end();
}
