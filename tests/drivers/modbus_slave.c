/* An independent slave by libmodbus, to keep us honest.
 *
 * modbus_slave tcp PORT UNIT ADDRESS=WORD ...     holding registers, and the same as input ones
 * modbus_slave rtu DEVICE UNIT ADDRESS=WORD ...
 *
 * Says "ready" once it may be asked. A write to ADDRESS is told as "wrote ADDRESS WORD".
 */
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void serve(modbus_t *line, modbus_mapping_t *mapping)
{
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    int offset = modbus_get_header_length(line);
    int count;

    while ((count = modbus_receive(line, query)) != -1) {
        if (count == 0)
            continue;
        modbus_reply(line, query, count, mapping);
        if (query[offset] == 0x10 || query[offset] == 0x06) {
            int address = query[offset + 1] << 8 | query[offset + 2];
            int words = query[offset] == 0x10 ? query[offset + 3] << 8 | query[offset + 4] : 1;
            for (int i = 0; i < words; i++)
                printf("wrote %d %d\n", address + i, mapping->tab_registers[address + i]);
            fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    modbus_mapping_t *mapping = modbus_mapping_new(16, 16, 65535, 65535);
    int is_tcp = argc > 3 && strcmp(argv[1], "tcp") == 0;
    modbus_t *line;

    if (argc < 4 || mapping == NULL)
        return 2;
    line = is_tcp ? modbus_new_tcp("127.0.0.1", atoi(argv[2]))
                  : modbus_new_rtu(argv[2], 9600, 'N', 8, 1);
    modbus_set_slave(line, atoi(argv[3]));
    for (int i = 4; i < argc; i++) {
        int address, word;
        if (sscanf(argv[i], "%d=%d", &address, &word) != 2)
            return 2;
        mapping->tab_registers[address] = mapping->tab_input_registers[address] = word;
    }
    if (is_tcp) {
        int listener = modbus_tcp_listen(line, 4);
        puts("ready");
        fflush(stdout);
        for (;;) {
            if (modbus_tcp_accept(line, &listener) == -1)
                return 1;
            serve(line, mapping);
            modbus_close(line);
        }
    }
    if (modbus_connect(line) == -1)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;)
        serve(line, mapping);
}
